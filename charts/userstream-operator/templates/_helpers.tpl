{{- define "userstream.name" -}}
{{- printf "%s" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "userstream.labels" -}}
app.kubernetes.io/name: userstream-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: userstream
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "userstream.selector" -}}
app.kubernetes.io/name: userstream-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* What the operator may do with the objects of a pipeline. */}}
{{- define "userstream.rules" -}}
- apiGroups: [userstream.dev]
  resources: [userstreampipelines]
  verbs: [get, list, watch, update, patch]
- apiGroups: [userstream.dev]
  resources: [userstreampipelines/status, userstreampipelines/finalizers]
  verbs: [get, update, patch]
- apiGroups: [""]
  resources: [configmaps, services, serviceaccounts]
  verbs: [get, create, update, patch, delete]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create, update, patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [apps]
  resources: [statefulsets, deployments]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, create, update, patch, delete]
- apiGroups: [kafka.strimzi.io]
  resources: [kafkas, kafkanodepools, kafkatopics]
  verbs: [get, list, create, update, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, update, patch]
{{/* Roles can only be granted by one who holds what they grant: these are those of Spark's driver. */}}
- apiGroups: [""]
  resources: [pods, configmaps, services, persistentvolumeclaims]
  verbs: [get, list, watch, create, patch, update, delete, deletecollection]
{{- end -}}
