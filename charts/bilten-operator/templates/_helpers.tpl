{{- define "bilten-operator.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{/* What has no namespace is named by it: operators of different namespaces may have one name. */}}
{{- define "bilten-operator.clusterName" -}}
{{ .Release.Namespace }}-{{ include "bilten-operator.fullname" . }}
{{- end }}

{{- define "bilten-operator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "bilten-operator.labels" -}}
{{- with .Values.labels }}
{{- toYaml . }}
{{ end -}}
{{ include "bilten-operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: bilten
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "bilten-operator.metadata" -}}
name: {{ include "bilten-operator.fullname" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "bilten-operator.labels" . | nindent 2 }}
{{- end }}

{{- define "bilten-operator.image" -}}
{{- with .Values.image -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}
{{- end }}
