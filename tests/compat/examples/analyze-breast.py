import requests

url = "http://localhost:8000/analyze/breast"
files = {"image": open("breast_ultrasound.png", "rb")}
print(requests.post(url, files=files).json())
