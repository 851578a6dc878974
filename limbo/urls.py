"""Where each room is reached."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from notifications.web.sign_in.staff import guard

guard(admin.site)

urlpatterns: list[URLPattern | URLResolver] = [
    # first, since the paths before are tried for every submission
    path("", include("notifications.api.urls")),
    path("admin/", admin.site.urls),
    path("", include("notifications.web.sign_in.urls")),
    path("", include("notifications.web.urls")),
    path("", include("notifications.tracking.urls")),
]

handler400 = "notifications.api.service.bad_request"
handler404 = "notifications.api.service.not_found"
handler500 = "notifications.api.service.server_error"
