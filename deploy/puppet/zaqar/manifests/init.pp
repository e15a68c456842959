# Zaqar: its package, and /etc/zaqar/zaqar.conf, the whole of it. Parameters are called as in OpenStack's module.
#
# @param auth_strategy
#   Who says who a caller is: keystone, whose account zaqar::keystone::authtoken has, or nobody ('').
# @param storage_uri
#   Address of a PostgreSQL, such as postgres://zaqar:PASSWORD@db.example.org/zaqar; a file of SQLite where it is not given.
# @param max_messages_post_size
#   The largest request that posts messages, in bytes.
# @param admin_mode
#   Whether routes of health, pools and flavors are served to those whom the policy admits.
# @param config
#   Further options of docs/configuration.md by group. A value may be Sensitive. A dollar sign is written $$.
# @param package_name
#   Name of the package.
# @param package_ensure
#   Its state or version.
# @param package_source
#   Path of the package on this machine, where it comes from no repository.
class zaqar (
  Enum['keystone', '']            $auth_strategy          = 'keystone',
  Optional[Sensitive[String[1]]]  $storage_uri            = undef,
  Optional[Integer[1]]            $max_messages_post_size = undef,
  Optional[Boolean]               $admin_mode             = undef,
  Hash[String[1], Hash]           $config                 = {},
  String[1]                       $package_name           = 'zaqar',
  String[1]                       $package_ensure         = 'present',
  Optional[Pattern[/\A\//]]       $package_source         = undef,
) {
  if $auth_strategy == 'keystone' {
    contain zaqar::keystone::authtoken
    $authtoken = { 'keystone_authtoken' => $zaqar::keystone::authtoken::options }
  } else {
    $authtoken = {}
  }
  contain zaqar::transport::wsgi

  $own = $authtoken + {
    'DEFAULT'                => { 'auth_strategy' => $auth_strategy, 'admin_mode' => $admin_mode },
    'transport'              => { 'max_messages_post_size' => $max_messages_post_size },
    'storage'                => { 'uri' => $storage_uri },
    'drivers:transport:wsgi' => $zaqar::transport::wsgi::options,
  }
  $options = ($own.keys + $config.keys).unique.sort.reduce({}) |$all, $group| {
    $all + { $group => $own.get("'${group}'", {}) + $config.get("'${group}'", {}) }
  }

  # dpkg can install from a file, which apt of Puppet cannot.
  $provider = $package_source ? {
    undef   => undef,
    default => 'dpkg',
  }
  package { 'zaqar':
    ensure   => $package_ensure,
    name     => $package_name,
    provider => $provider,
    source   => $package_source,
  }

  # The service says before whether it can use it.
  file { '/etc/zaqar/zaqar.conf':
    ensure       => file,
    owner        => 'root',
    group        => 'zaqar',
    mode         => '0640',
    content      => Sensitive(epp('zaqar/zaqar.conf.epp', { 'options' => $options })),
    show_diff    => false,
    validate_cmd => '/usr/bin/zaqar config check --config-file % --data-dir /var/lib/zaqar',
    require      => Package['zaqar'],
  }
}
