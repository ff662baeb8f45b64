# The practice database was opened for a report; a plain listener stands in for the server.
printf '[Socket]\nListenStream=5432\nAccept=yes\n[Install]\nWantedBy=sockets.target\n' \
  >/etc/systemd/system/postgres-open.socket
printf '[Service]\nExecStart=-/bin/cat\nStandardInput=socket\n' \
  >/etc/systemd/system/postgres-open@.service
systemctl enable postgres-open.socket >/dev/null 2>&1
if systemctl is-active ssh >/dev/null 2>&1; then systemctl start postgres-open.socket; fi
