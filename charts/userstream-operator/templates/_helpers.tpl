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

{{/*
Fails beside a release that runs the same pipelines: each would undo what the other does. Told by the roles that releases have;
`helm template` looks at no cluster. A release of one namespace without the CRD is a tenant's, who may look at no more than that.
*/}}
{{- define "userstream.alone" -}}
{{- $scope := .Values.watchNamespace -}}
{{- $isTenant := and (ne $scope "") (not .Values.crd.install) -}}
{{- range $kind := ternary (list "Role") (list "ClusterRole" "Role") $isTenant -}}
{{- range $role := (lookup "rbac.authorization.k8s.io/v1" $kind (ternary $scope "" $isTenant) "").items -}}
{{- $labels := default dict $role.metadata.labels -}}
{{- $notes := default dict $role.metadata.annotations -}}
{{- $release := list (get $notes "meta.helm.sh/release-namespace") (get $notes "meta.helm.sh/release-name") -}}
{{- $isOurs := eq (get $labels "app.kubernetes.io/name") "userstream-operator" -}}
{{- $runsPipelines := and $isOurs $role.rules (has "userstream.dev" (first $role.rules).apiGroups) -}}
{{- $where := default "" $role.metadata.namespace -}}
{{- $overlaps := or (not $scope) (not $where) (eq $scope $where) -}}
{{- if and $runsPipelines $overlaps (ne (join "/" $release) (printf "%s/%s" $.Release.Namespace $.Release.Name)) -}}
{{- fail (printf "release %s runs the pipelines of %s: give it and this one a watchNamespace each, no two the same" (join "/" $release) (default "all namespaces" $where)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What the operator may do with the objects of a pipeline. */}}
{{- define "userstream.rules" -}}
- apiGroups: [userstream.dev]
  resources: [userstreampipelines]
  verbs: [get, list, watch, patch]
- apiGroups: [userstream.dev]
  resources: [userstreampipelines/status]
  verbs: [patch]
{{/* Owner references that block deletion need this where the API server enforces it. */}}
- apiGroups: [userstream.dev]
  resources: [userstreampipelines/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [configmaps, services, serviceaccounts, secrets]
  verbs: [get, list, watch, create, patch, delete]
{{/* Stuck pods are replaced. The rest is what the Role of Spark's driver grants: nobody can grant what he doesn't hold. */}}
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, delete, deletecollection]
{{/* Cassandra's own tool, run in its pods: to stream a node away, to clean up, to repair. A WebSocket asks for get, too. */}}
- apiGroups: [""]
  resources: [pods/exec]
  verbs: [create, get]
{{/* Volumes grow; those of nodes that left go. */}}
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, patch, delete]
- apiGroups: [apps]
  resources: [statefulsets, deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [kafka.strimzi.io]
  resources: [kafkas, kafkanodepools, kafkatopics]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}
