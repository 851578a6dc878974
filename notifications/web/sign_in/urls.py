"""Where one signs in, under the names by which django-allauth looks for its pages.

Its page for signing up is not among them: accounts are made by staff.
"""

from allauth.account import views
from django.contrib.auth.views import LogoutView
from django.urls import path

urlpatterns = [
    path("sign-in/", views.login, name="account_login"),
    path("sign-in/inactive/", views.account_inactive, name="account_inactive"),
    path("sign-out/", LogoutView.as_view(), name="account_logout"),
]
