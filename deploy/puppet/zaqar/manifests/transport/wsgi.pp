# Where the API is served.
#
# @param bind
#   Address to listen on; 127.0.0.1 where it is not given.
# @param port
#   Port to listen on; 8888 where it is not given.
# @param workers
#   Processes behind the port; more than one on PostgreSQL only.
class zaqar::transport::wsgi (
  Optional[String[1]]           $bind    = undef,
  Optional[Integer[0, 65535]]   $port    = undef,
  Optional[Integer[1, 256]]     $workers = undef,
) {
  $options = { 'bind' => $bind, 'port' => $port, 'workers' => $workers }
}
