curl -X POST "http://localhost:8000/predict" -H "accept: application/json" \
  -F "file=@chest_xray.jpg" -F "patient_id=PAT-12345"
