# Somebody silenced a full audit disk for good.
systemctl disable auditd.service >/dev/null 2>&1 || true
systemctl mask auditd.service >/dev/null 2>&1
