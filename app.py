"""Tiebreak, started with ``streamlit run app.py``: the server's entry, and the page script it runs.

The server imports this file once as module ``app``; each browser session then executes it as a
script. Streamlit finds the server by reading the source, so ``app = st.App(...)`` must stand
here, literally.
"""

from __future__ import annotations

import streamlit as st
from streamlit import runtime

if runtime.exists():
    from core.ui.shell import main

    main()
else:
    from core.server import lifespan, middleware, routes
    from core.ui.navigation import claim_pages
    from core.ui.urls import base

    claim_pages()
    app = st.App(__file__, routes=routes(base()), lifespan=lifespan, middleware=middleware(base()))
    if __name__ == "__main__":
        app.run()
