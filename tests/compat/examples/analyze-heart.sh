curl -X POST http://localhost:8000/analyze/heart -F "image=@ecg_image.png"
