#!/bin/sh
# Installs the packages of package-lock.json, Node itself among them, unless they stand already.
set -e
if [ node_modules/.package-lock.json -ot package-lock.json ] || [ ! -x node_modules/.bin/node ]; then
  echo "installing the packages of package-lock.json into node_modules"
  npm ci --loglevel=error
fi
