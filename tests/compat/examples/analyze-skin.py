import requests

url = "http://localhost:8000/analyze/skin"
files = {"image": open("skin_lesion.jpg", "rb")}
result = requests.post(url, files=files).json()

print(f"Prediction: {result['prediction']['name']}")
print(f"Confidence: {result['prediction']['confidence_percent']}")
print(f"Severity: {result['severity']}")
