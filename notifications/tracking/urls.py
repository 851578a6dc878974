"""Where providers report; the paths are Anymail's, as its documentation names them."""

from django.urls import path

from notifications.tracking.views import receive

app_name = "tracking"

urlpatterns = [path("anymail/<slug:esp>/tracking/", receive, name="report")]
