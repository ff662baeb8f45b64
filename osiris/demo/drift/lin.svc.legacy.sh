# An old laboratory analyser insists on telnet.
printf '[Socket]\nListenStream=23\nAccept=yes\n[Install]\nWantedBy=sockets.target\n' \
  >/etc/systemd/system/telnet.socket
printf '[Service]\nExecStart=-/usr/sbin/inetutils-telnetd\nStandardInput=socket\n' \
  >/etc/systemd/system/telnet@.service
systemctl enable telnet.socket >/dev/null 2>&1
if systemctl is-active ssh >/dev/null 2>&1; then systemctl start telnet.socket; fi
