"""The facts about a target or a device, from what is stored and what the site says of itself."""

from appliance.handlers.work import Work
from appliance.store.devices import Device
from appliance.store.targets import Target
from proto.inventory import Facts, Platform


def facts_of(work: Work, target: Target) -> Facts:
    """Return the closed list of facts about a target."""
    site = work.settings.site
    return Facts(
        target_id=target.id,
        target_platform=target.platform,
        target_os=target.os,
        target_os_version=target.os_version,
        target_class=target.device_class,
        target_login=target.login,
        target_address=target.address,
        appliance_id=work.scribe.appliance,
        appliance_address=work.settings.address,
        site_admin_networks=site.admin_networks,
        site_ntp_servers=site.ntp_servers,
        site_time_zone=site.time_zone,
    )


def facts_of_device(work: Work, device: Device) -> Facts:
    """Return the facts about a device that nobody logs in on."""
    site = work.settings.site
    return Facts(
        target_id=device.id,
        target_platform=Platform.NETWORK,
        target_os="",
        target_os_version="",
        target_class=device.device_class,
        target_login="",
        target_address=device.address,
        appliance_id=work.scribe.appliance,
        appliance_address=work.settings.address,
        site_admin_networks=site.admin_networks,
        site_ntp_servers=site.ntp_servers,
        site_time_zone=site.time_zone,
    )
