#!/bin/sh
# JAVA_OPTS_APPEND is the name that the official image gives to further JVM options.
# shellcheck disable=SC2086 # options are separated by spaces
exec java ${JAVA_OPTS_APPEND:-} -jar /opt/registry/registry.jar
