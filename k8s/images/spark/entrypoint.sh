#!/bin/bash
# `executor` starts a Spark executor by the contract that Spark's Kubernetes scheduler has with its images:
# everything arrives in SPARK_* variables, the JVM options numbered from SPARK_JAVA_OPT_0. Any other command is run as it is.
set -euo pipefail

if [ "${1:-}" != executor ]; then
  exec "$@"
fi

options=()
name=SPARK_JAVA_OPT_0
while [ -n "${!name+set}" ]; do
  options+=("${!name}")
  name="SPARK_JAVA_OPT_${#options[@]}"
done

classpath="${SPARK_CONF_DIR:-$SPARK_HOME/conf}:$SPARK_HOME/jars/*:${SPARK_CLASSPATH:-}"

exec java "${options[@]}" "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" -cp "$classpath" \
  org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
  --driver-url "$SPARK_DRIVER_URL" \
  --executor-id "$SPARK_EXECUTOR_ID" \
  --cores "$SPARK_EXECUTOR_CORES" \
  --app-id "$SPARK_APPLICATION_ID" \
  --hostname "$SPARK_EXECUTOR_POD_IP" \
  --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" \
  --podName "$SPARK_EXECUTOR_POD_NAME"
