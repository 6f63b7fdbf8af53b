"""One pipeline in a process of its own, as it is deployed. Run by its path, with Python's options
-I and -S: SITE MODEL [PROJECT]. SITE has links to what the pipeline requires and nothing else,
PROJECT the components, where the pipeline needs them. Each line of stdin is a list of texts as
JSON, each of stdout an answer.
"""

import json
import sys
import time

site, model, *project = sys.argv[1:]
sys.path += [site, *project]

import spacy  # noqa: E402

if project:
    import components.code  # noqa: F401
nlp = spacy.load(model)
for line in sys.stdin:
    texts = json.loads(line)
    begin = time.perf_counter()
    docs = list(nlp.pipe(texts))
    seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "cats": [doc.cats for doc in docs]}), flush=True)
