# The disk filled once and somebody wanted quiet.
sed -i 's/^space_left_action.*/space_left_action = IGNORE/; s/^max_log_file_action.*/max_log_file_action = IGNORE/' /etc/audit/auditd.conf
