"""The operators' part of the route table, and what this machine's administrator may do."""

from central.api import keys, operator
from central.state import Console
from runtime.web.access import Access, Entry

OPERATOR_ROUTES: tuple[Entry[Console], ...] = (
    Entry("GET", "/api/sites", Access.PERSON, operator.list_sites),
    Entry("GET", "/api/sites/{site}", Access.PERSON, operator.show_site),
    Entry("GET", "/api/sites/{site}/appliances", Access.PERSON, operator.list_appliances),
    Entry("GET", "/api/sites/{site}/devices", Access.PERSON, operator.list_devices),
    Entry("GET", "/api/sites/{site}/quarantine", Access.PERSON, operator.list_quarantine),
    Entry("GET", "/api/sites/{site}/findings", Access.PERSON, operator.list_findings),
    Entry("GET", "/api/sites/{site}/incidents", Access.PERSON, operator.list_incidents),
    Entry("GET", "/api/sites/{site}/incidents/{incident}", Access.PERSON, operator.show_incident),
    Entry("GET", "/api/refusals", Access.PERSON, operator.list_refusals),
    Entry("POST", "/api/appliances/{appliance}/confirm", Access.PERSON, operator.confirm),
    Entry(
        "POST", "/api/appliances/{appliance}/conditions/{code}/clear", Access.PERSON, operator.clear
    ),
)

LOCAL_ROUTES: tuple[Entry[Console], ...] = (
    Entry("GET", "/local/status", Access.LOCAL, operator.status),
    Entry("GET", "/local/sites", Access.LOCAL, operator.list_sites),
    Entry("POST", "/local/sites", Access.LOCAL, operator.add_site),
    Entry("GET", "/local/sites/{site}", Access.LOCAL, operator.show_site),
    Entry("POST", "/local/sites/{site}/claims", Access.LOCAL, operator.add_claim),
    Entry("GET", "/local/sites/{site}/appliances", Access.LOCAL, operator.list_appliances),
    Entry("GET", "/local/sites/{site}/devices", Access.LOCAL, operator.list_devices),
    Entry("GET", "/local/sites/{site}/quarantine", Access.LOCAL, operator.list_quarantine),
    Entry("GET", "/local/sites/{site}/findings", Access.LOCAL, operator.list_findings),
    Entry("GET", "/local/sites/{site}/incidents", Access.LOCAL, operator.list_incidents),
    Entry("GET", "/local/sites/{site}/incidents/{incident}", Access.LOCAL, operator.show_incident),
    Entry("POST", "/local/appliances/{appliance}/confirm", Access.LOCAL, operator.confirm),
    Entry(
        "POST",
        "/local/appliances/{appliance}/conditions/{code}/clear",
        Access.LOCAL,
        operator.clear,
    ),
    Entry("GET", "/local/keys", Access.LOCAL, keys.list_keys),
    Entry("POST", "/local/keys/{kind}/renew", Access.LOCAL, keys.renew),
    Entry("GET", "/local/refusals", Access.LOCAL, operator.list_refusals),
    Entry("GET", "/local/users", Access.LOCAL, operator.list_users),
    Entry("POST", "/local/users", Access.LOCAL, operator.add_user),
    Entry("POST", "/local/users/{name}/shut", Access.LOCAL, operator.shut_user),
)
"""Served on the socket alone, whose file mode is its sign-in: accounts and claims are made here."""
