"""Routes beside Streamlit: images, accounts, decisions, assets, health."""
