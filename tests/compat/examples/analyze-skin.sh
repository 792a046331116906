curl -X POST http://localhost:8000/analyze/skin -F "image=@skin_lesion.jpg"
