"""Measure MediFlow beside other ways to serve the same model file. No part of the product."""
