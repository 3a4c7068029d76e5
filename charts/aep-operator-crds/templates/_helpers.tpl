{{- define "aep-operator-crds.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: aep-operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Labels and annotations of a definition. */}}
{{- define "aep-operator-crds.metadata" -}}
{{- $annotations := .Values.crds.annotations -}}
{{- if .Values.keep -}}
{{- $annotations = merge (dict "helm.sh/resource-policy" "keep") $annotations -}}
{{- end -}}
{{- with $annotations -}}
annotations:
  {{- toYaml . | nindent 2 }}
{{ end -}}
labels:
  {{- merge (include "aep-operator-crds.labels" . | fromYaml) .Values.crds.labels .Values.commonLabels | toYaml | nindent 2 }}
{{- end }}
