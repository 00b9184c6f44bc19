"""The pages, each a script that Streamlit runs from top to bottom. A package, so that an installation brings them."""
