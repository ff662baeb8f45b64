# A vendor left remote control running; a plain listener stands in for the server.
printf '[Socket]\nListenStream=5900\nAccept=yes\n[Install]\nWantedBy=sockets.target\n' \
  >/etc/systemd/system/vnc-open.socket
printf '[Service]\nExecStart=-/bin/cat\nStandardInput=socket\n' \
  >/etc/systemd/system/vnc-open@.service
systemctl enable vnc-open.socket >/dev/null 2>&1
if systemctl is-active ssh >/dev/null 2>&1; then systemctl start vnc-open.socket; fi
