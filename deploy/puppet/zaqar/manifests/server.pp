# The service.
#
# @param manage_service
#   Whether it is started or stopped: not where systemd does not run, as while an image is made.
# @param enabled
#   Whether it runs, and starts with the machine.
# @param service_name
#   Its unit.
class zaqar::server (
  Boolean   $manage_service = true,
  Boolean   $enabled        = true,
  String[1] $service_name   = 'zaqar',
) {
  contain zaqar

  if $manage_service {
    service { 'zaqar':
      ensure    => $enabled,
      name      => $service_name,
      enable    => $enabled,
      subscribe => [Package['zaqar'], File['/etc/zaqar/zaqar.conf']],
    }
  }
}
