# An update once broke the practice software, so somebody switched them all off.
printf 'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "0";\n' >/etc/apt/apt.conf.d/20auto-upgrades
if systemctl is-active apt-daily-upgrade.timer >/dev/null 2>&1; then systemctl stop apt-daily-upgrade.timer; fi
systemctl disable apt-daily-upgrade.timer >/dev/null 2>&1
systemctl mask apt-daily-upgrade.timer >/dev/null 2>&1
