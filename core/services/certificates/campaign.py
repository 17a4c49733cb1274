"""Campaigns from outside: make a promise, look whether a model keeps it, see what every look found."""

from core.services.certificates.looks import certify_all, certify_now
from core.services.certificates.promises import CampaignView, get_campaign, open_campaign
from core.services.certificates.views import CertificateView, list_certificates
from core.services.models.prelabels import run_count

__all__ = [
    "CampaignView",
    "CertificateView",
    "certify_all",
    "certify_now",
    "get_campaign",
    "list_certificates",
    "open_campaign",
    "run_count",
]
