"""A photo under one's own hands: a slider for every parameter, beside what the scorer says.

`session` holds the photo and does the work, `page` shows it in a browser with Gradio.
"""
