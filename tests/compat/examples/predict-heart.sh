curl -X POST http://localhost:8000/predict-heart \
  -H "Content-Type: application/json" \
  -d '{
    "age": 55,
    "sex": 1,
    "blood_pressure": 145,
    "cholesterol": 250,
    "chest_pain": 2,
    "max_heart_rate": 140,
    "exercise_angina": 0
  }'
