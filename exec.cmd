@rem `npm start` says exec, so that signals reach the service and not a shell in between. Windows has no such command.
@%*
