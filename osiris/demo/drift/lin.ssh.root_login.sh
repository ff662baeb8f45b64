# An administrator lets root in directly; the line stands above the Include, as hand edits do.
sed -i '1i PermitRootLogin yes' /etc/ssh/sshd_config
if systemctl is-active ssh >/dev/null 2>&1; then systemctl restart ssh; fi
