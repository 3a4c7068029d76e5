{{- define "aep-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "aep-operator.fullname" -}}
{{- $name := include "aep-operator.name" . -}}
{{- $derived := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $derived .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "aep-operator.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "aep-operator.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{/* They never change: a Deployment cannot be given others. */}}
{{- define "aep-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "aep-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "aep-operator.labels" -}}
{{ include "aep-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: aep-operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ include "aep-operator.chart" . }}
{{- end }}

{{/* Those of an object: [context, more labels]. Ours win. */}}
{{- define "aep-operator.labelsWith" -}}
{{- $context := first . -}}
{{- merge (include "aep-operator.labels" $context | fromYaml) (last .) $context.Values.commonLabels | toYaml }}
{{- end }}

{{/* Name, namespace and labels of most objects. */}}
{{- define "aep-operator.metadata" -}}
name: {{ include "aep-operator.fullname" . }}
namespace: {{ include "aep-operator.namespace" . }}
labels:
  {{- include "aep-operator.labelsWith" (list . dict) | nindent 2 }}
{{- end }}

{{- define "aep-operator.serviceAccountName" -}}
{{- $made := ternary (include "aep-operator.fullname" .) "default" .Values.serviceAccount.create -}}
{{- default $made .Values.serviceAccount.name }}
{{- end }}

{{- define "aep-operator.image" -}}
{{- $tag := default (printf "v%s" .Chart.AppVersion) .Values.image.tag -}}
{{- .Values.image.repository }}{{ empty .Values.image.digest | ternary (printf ":%s" $tag) (printf "@%s" .Values.image.digest) }}
{{- end }}

{{- define "aep-operator.leaseName" -}}
{{- default (printf "aep-operator-%s" .Release.Name) .Values.leaderElection.name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* What is watched, separated by commas. */}}
{{- define "aep-operator.watched" -}}
{{- $namespaces := .Values.watch.namespaces -}}
{{- if has "*" $namespaces -}}
{{- if gt (len $namespaces) 1 }}{{ fail "watch.namespaces: \"*\" means all namespaces and stands alone" }}{{ end -}}
{{- if ne .Values.rbac.scope "cluster" }}{{ fail "watch.namespaces: \"*\" needs rbac.scope: cluster" }}{{ end -}}
{{- end -}}
{{- default (list (include "aep-operator.namespace" .)) $namespaces | uniq | join "," }}
{{- end }}

{{/* Where the Sandbox of the values lives. */}}
{{- define "aep-operator.sandboxNamespace" -}}
{{- $first := include "aep-operator.watched" . | splitList "," | first -}}
{{- ternary (include "aep-operator.namespace" .) $first (eq $first "*") }}
{{- end }}

{{- define "aep-operator.sandboxSecret" -}}
{{- $made := printf "%s-credentials" (include "aep-operator.fullname" .) | trunc 253 -}}
{{- ternary $made .Values.sandbox.existingSecret .Values.sandbox.credentials.create }}
{{- end }}

{{/* The environment of the operator, and of its test. */}}
{{- define "aep-operator.env" -}}
- name: WATCH_NAMESPACES
  value: {{ include "aep-operator.watched" . | quote }}
{{- if .Values.metrics.enabled }}
- name: METRICS_ADDRESS
  value: {{ printf "%s:%v" .Values.bindAddress (int64 .Values.metrics.port) | quote }}
{{- end }}
- name: HEALTH_ADDRESS
  value: {{ printf "%s:%v" .Values.bindAddress (int64 .Values.health.port) | quote }}
- name: LOG_FORMAT
  value: {{ .Values.log.format }}
- name: RUST_LOG
  value: {{ .Values.log.level | quote }}
- name: POD_NAME
  valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.name}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}
{{- if .Values.leaderElection.enabled }}
- name: LEASE
  value: {{ include "aep-operator.leaseName" . }}
- name: LEASE_NAMESPACE
  value: {{ include "aep-operator.namespace" . }}
- name: LEASE_SECONDS
  value: {{ .Values.leaderElection.leaseSeconds | int64 | quote }}
{{- end }}
{{- with .Values.aep.endpoints.ims }}
- name: IMS_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- with .Values.aep.endpoints.platform }}
- name: PLATFORM_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- with .Values.aep.endpoints.allowed }}
- name: ALLOWED_ENDPOINTS
  value: {{ join "," . | quote }}
{{- end }}
{{- if .Values.aep.requireSecretLabel }}
- name: REQUIRE_SECRET_LABEL
  value: "true"
{{- end }}
- name: WORKERS
  value: {{ .Values.aep.workers | int64 | quote }}
- name: MAX_SANDBOXES_PER_NAMESPACE
  value: {{ .Values.aep.maxSandboxesPerNamespace | int64 | quote }}
- name: MAX_RESOURCES_PER_SANDBOX
  value: {{ .Values.aep.maxResourcesPerSandbox | int64 | quote }}
- name: LIST_LAG_SECONDS
  value: {{ .Values.aep.listLagSeconds | int64 | quote }}
- name: REQUEST_TIMEOUT_SECONDS
  value: {{ .Values.aep.requestTimeoutSeconds | int64 | quote }}
- name: RESYNC_PERIOD_SECONDS
  value: {{ .Values.aep.resyncPeriodSeconds | int64 | quote }}
{{- if .Values.otel.enabled }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ required "otel.enabled needs otel.endpoint" .Values.otel.endpoint | quote }}
- name: OTEL_SERVICE_NAME
  value: {{ include "aep-operator.name" . }}
- name: OTEL_RESOURCE_ATTRIBUTES
  value: k8s.namespace.name=$(POD_NAMESPACE),k8s.pod.name=$(POD_NAME)
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
