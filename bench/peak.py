#!/usr/bin/env python3
"""Runs a command that answers with JSON, and adds the peak memory of its process: peak.py COMMAND...

A process of its own, as the system counts the memory of the largest child, and of whoever starts it.
"""
import json
import resource
import subprocess
import sys

done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True)
if done.returncode:
    sys.exit(done.returncode)
answer = json.loads(done.stdout)
answer["peak_mb"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(json.dumps(answer))
