curl -X POST "http://localhost:8000/predict" -F "file=@xray.jpg" -F "use_tta=true"
