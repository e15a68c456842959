# The account that tokens are looked up with.
#
# @param password
#   Password of the account. There is no default.
# @param auth_url
#   Address of Keystone.
# @param username
#   Name of the account.
# @param project_name
#   Its project.
# @param user_domain_name
#   Domain of the account.
# @param project_domain_name
#   Domain of the project.
# @param auth_type
#   How it logs in.
# @param www_authenticate_uri
#   Address of Keystone that callers without a token are told.
# @param cafile
#   Authorities that have signed Keystone's certificate, in PEM form.
# @param region_name
#   Region of Keystone's endpoint.
class zaqar::keystone::authtoken (
  Sensitive[String[1]] $password,
  String[1]            $auth_url,
  String[1]            $username             = 'zaqar',
  String[1]            $project_name         = 'services',
  String[1]            $user_domain_name     = 'Default',
  String[1]            $project_domain_name  = 'Default',
  String[1]            $auth_type            = 'password',
  Optional[String[1]]  $www_authenticate_uri = undef,
  Optional[String[1]]  $cafile               = undef,
  Optional[String[1]]  $region_name          = undef,
) {
  $options = {
    'auth_type'            => $auth_type,
    'auth_url'             => $auth_url,
    'username'             => $username,
    'password'             => $password,
    'project_name'         => $project_name,
    'user_domain_name'     => $user_domain_name,
    'project_domain_name'  => $project_domain_name,
    'www_authenticate_uri' => $www_authenticate_uri,
    'cafile'               => $cafile,
    'region_name'          => $region_name,
  }
}
