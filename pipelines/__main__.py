from pipelines.ingest import ingest
from pipelines.clients import read
import time
def main():
    for o in ingest(read()[0]): print(o)
main()
