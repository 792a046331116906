curl -X POST http://localhost:8000/analyze/xray -F "image=@chest_xray.jpeg"
