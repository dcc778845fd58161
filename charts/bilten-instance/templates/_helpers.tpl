{{- define "bilten-instance.name" -}}
{{ .Values.name | default .Release.Name }}
{{- end }}

{{/* Null takes a part away that an earlier values file gave. */}}
{{- define "bilten-instance.prune" -}}
{{- $parts := . }}
{{- range $name, $value := deepCopy . }}
{{- if kindIs "invalid" $value }}
{{- $_ := unset $parts $name }}
{{- else if kindIs "map" $value }}
{{- include "bilten-instance.prune" (get $parts $name) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "bilten-instance.spec" -}}
{{- $spec := deepCopy .Values.spec }}
{{- include "bilten-instance.prune" $spec }}
{{- toYaml $spec }}
{{- end }}

{{/* What is missing, or does not go together: a sentence a line. */}}
{{- define "bilten-instance.problems" -}}
{{- $spec := include "bilten-instance.spec" . | fromYaml }}
{{- $environment := $spec.environment | default "" }}
{{- $image := $spec.image | default "" }}
{{- $exposure := dig "exposure" "mode" "None" $spec }}
{{- $files := dig "objectStorage" "mode" "" $spec }}
{{- if not (regexMatch "^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$" (include "bilten-instance.name" .)) }}
name must be at most 30 lower-case letters, digits and '-', beginning with a letter: give another release name, or --set name=...
{{- end }}
{{- if not $environment }}
spec.environment is required: begin with --values and one of values-development.yaml, values-staging.yaml, values-production.yaml
{{- end }}
{{- if not $image }}
spec.image is required: name the image of the API and the worker
{{- else if and $environment (ne $environment "development") (not (regexMatch "^[^@]+@sha256:[0-9a-f]{64}$" $image)) }}
spec.image must be named by its digest outside development, so that every pod runs the same code: append @sha256: and the digest
{{- end }}
{{- if and (ne $exposure "None") (not (dig "exposure" "host" "" $spec)) }}
spec.exposure.host is required when spec.exposure.mode is {{ $exposure }}: name the host under which browsers reach the API
{{- end }}
{{- if not (dig "database" "mode" "" $spec) }}
spec.database.mode is required: Managed or External
{{- end }}
{{- if not $files }}
spec.objectStorage.mode is required: Managed or External
{{- end }}
{{- if and (eq $files "External") (not (dig "objectStorage" "external" "endpoint" "" $spec)) }}
spec.objectStorage.external.endpoint is required when spec.objectStorage.mode is External: give the address of the store, like https://s3.example.com
{{- end }}
{{- if and (dig "backup" "objectStorage" "" $spec) (not (dig "backup" "objectStorage" "endpoint" "" $spec)) }}
spec.backup.objectStorage.endpoint is required: give the address of a store for the backups, other than that of the files
{{- end }}
{{- end }}
