curl http://localhost:8000/model/info
