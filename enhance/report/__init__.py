"""Results as pages of HTML, each one file that needs nothing else, on screens of any size.

from enhance.report.photo import save_report
save_report(enhance.tune("photo.jpg"), "report.html")
"""
