"""The same model file behind other servers, each as its own documentation shows it.

These modules run in a throw-away environment (`bench.environment`) and import nothing of ours
but `contracts`, which reads the model file.
"""

#: Environment variable that names the model file.
MODEL = "BENCH_MODEL"
