# Somebody silenced a full audit disk for good.
systemctl mask auditd.service >/dev/null 2>&1
