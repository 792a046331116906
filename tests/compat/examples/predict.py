import requests

url = "http://localhost:8000/predict"
files = {"file": open("chest_xray.jpg", "rb")}
data = {"patient_id": "PAT-001", "use_tta": False}
result = requests.post(url, files=files, data=data).json()

print(f"Prediction: {result['prediction']}")
print(f"Confidence: {result['confidence']:.2f}%")
