# An old instrument's software logs in by rlogin; a plain listener stands in for its server.
printf '[Socket]\nListenStream=513\nAccept=yes\n[Install]\nWantedBy=sockets.target\n' \
  >/etc/systemd/system/rlogin.socket
printf '[Service]\nExecStart=-/bin/cat\nStandardInput=socket\n' \
  >/etc/systemd/system/rlogin@.service
systemctl enable rlogin.socket >/dev/null 2>&1
if systemctl is-active ssh >/dev/null 2>&1; then systemctl start rlogin.socket; fi
