# From seed 002, "Framework Deep Dive: AutoGen", section "Observability".
# Needs: nothing.

import os
# Enable LangSmith tracing (AutoGen supports it)
os.environ["LANGCHAIN_TRACING_V2"] = "true"
os.environ["LANGCHAIN_API_KEY"] = "your-api-key"
# Or use AutoGen's built-in logging
import logging
logging.basicConfig(level=logging.INFO)
