"""The catalogue: data only. `runtime.content` reads these files, `proto.catalog` judges them."""
