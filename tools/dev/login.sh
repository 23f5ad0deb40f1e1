# ./dev login NAME [CODE]
# Signs an account of the running ./dev run in: dr.demo, nurse.demo or admin.
#
# CODE is the one-time enrolment code that ./dev run printed; it is needed the first time. This command then
# makes up a password and plays the authenticator. The token goes to a file that curl reads: -H @FILE.

exec python3 tools/sign_in.py "$@"
