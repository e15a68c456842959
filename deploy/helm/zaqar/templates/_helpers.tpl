{{- define "zaqar.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}
{{- end }}

{{- define "zaqar.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "zaqar.labels" -}}
{{ include "zaqar.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* What would not work, or would not be safe, is said before anything is made. */}}
{{- define "zaqar.check" -}}
{{- if and (eq .Values.engine "sqlite") (gt (int .Values.replicas) 1) }}
{{- fail "replicas: with engine sqlite there is one pod; several need engine postgres" }}
{{- end }}
{{- if and (eq .Values.engine "postgres") (not .Values.secrets) }}
{{- fail "secrets: engine postgres needs a Secret with [storage] uri" }}
{{- end }}
{{- if not (or .Values.exposeWithoutAuthentication (eq "keystone" (toString (dig "DEFAULT" "auth_strategy" "" .Values.config)))) }}
{{- fail "config: [DEFAULT] auth_strategy is not keystone, so whoever reaches the service could read and write everything; if that is meant, set exposeWithoutAuthentication" }}
{{- end }}
{{- range $option := list "storage.uri" "transport.message_encryption_key" "transport.message_encryption_previous_keys" "metrics.scrape_token" "notification.smtp_user_password" "signed_url.secret_key" "signed_url.previous_secret_keys" "keystone_authtoken.password" "keystone_authtoken.application_credential_secret" "trustee.password" }}
{{- $parts := splitList "." $option }}
{{- if hasKey (default dict (get $.Values.config (first $parts))) (last $parts) }}
{{- fail (printf "config: [%s] %s belongs into one of the secrets" (first $parts) (last $parts)) }}
{{- end }}
{{- end }}
{{- if and .Values.serviceMonitor.enabled (not .Values.serviceMonitor.tokenSecret.name) }}
{{- fail "serviceMonitor.tokenSecret.name: metrics are shown to who has the token of [metrics] scrape_token" }}
{{- end }}
{{- end }}

{{/* A number of YAML is a float here, which would be printed as 1e+06. */}}
{{- define "zaqar.value" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ toString . | replace "\n" "\n  " | trim }}{{ end }}
{{- end }}

{{- define "zaqar.conf" -}}
{{- $name := include "zaqar.name" . }}
{{- $http := dict }}
{{- if .Values.exposeWithoutAuthentication }}
{{- $hosts := list $name (printf "%s.%s" $name .Release.Namespace) (printf "%s.%s.svc" $name .Release.Namespace) (printf "%s.%s.svc.cluster.local" $name .Release.Namespace) }}
{{- if .Values.ingress.enabled }}
{{- $hosts = append $hosts .Values.ingress.host }}
{{- end }}
{{- $http = dict "expose_without_authentication" true "allowed_hosts" (join ", " $hosts) }}
{{- end }}
{{- $defaults := dict "http" $http "drivers:transport:wsgi" (dict "bind" "0.0.0.0") }}
{{- $shutdown := dict "graceful_shutdown_delay" .Values.gracefulShutdownDelay "graceful_shutdown_timeout" .Values.gracefulShutdownTimeout }}
{{- $fixed := dict "DEFAULT" (merge $shutdown (dict "data_dir" "/var/lib/zaqar")) "drivers:transport:wsgi" (dict "port" 8888) }}
{{- range $group, $options := mergeOverwrite $defaults (deepCopy .Values.config) $fixed }}
{{- if $options }}
[{{ $group }}]
{{- range $option, $value := $options }}
{{ $option }} = {{ include "zaqar.value" $value }}
{{- end }}
{{ end }}
{{- end }}
{{- end }}

{{- define "zaqar.pod" -}}
metadata:
  labels:
    {{- include "zaqar.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # Another configuration makes another pod.
    checksum/config: {{ include "zaqar.conf" . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ add .Values.gracefulShutdownTimeout 10 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: zaqar
      image: {{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      {{- with .Values.env }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: 8888
      # A new version may have to bring a large store forward first.
      startupProbe:
        httpGet:
          path: /livez
          port: http
        periodSeconds: 2
        failureThreshold: 150
      livenessProbe:
        httpGet:
          path: /livez
          port: http
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet:
          path: /readyz
          port: http
        periodSeconds: 2
        timeoutSeconds: 3
        failureThreshold: 2
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - name: data
          mountPath: /var/lib/zaqar
        - name: config
          mountPath: /etc/zaqar
          readOnly: true
  volumes:
    - name: config
      projected:
        defaultMode: 0440
        sources:
          - configMap:
              name: {{ include "zaqar.name" . }}
          {{- range .Values.secrets }}
          - secret:
              name: {{ .name }}
              items:
                - key: {{ .key | quote }}
                  path: zaqar.conf.d/{{ .name }}.{{ .key | trimSuffix ".conf" }}.conf
          {{- end }}
    {{- if eq .Values.engine "postgres" }}
    - name: data
      emptyDir:
        sizeLimit: 64Mi
    {{- end }}
  {{- if gt (int .Values.replicas) 1 }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "zaqar.selector" . | nindent 10 }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
