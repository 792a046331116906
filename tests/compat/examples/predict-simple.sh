curl -X POST "http://localhost:8000/predict?format=simple" -F "file=@xray.jpg"
