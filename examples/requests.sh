#!/usr/bin/env bash
# One request per modality with cURL. The gateway must be up: `make up`.
set -euo pipefail
cd "$(dirname "$0")"
url=${1:-http://127.0.0.1:8000}

post() {
    curl --silent --show-error --fail-with-body "$@"
    echo
}

post -F file=@chest-xray/person418_virus_852.jpeg "$url/v1/chest-xray/predictions"
post -F file=@skin-lesion/ISIC_0024332.jpg "$url/v1/skin-lesion/predictions"
post -F file=@breast-ultrasound/malignant-6.png "$url/v1/breast-ultrasound/predictions"
post -F file=@ecg/00492_lr.hea -F file=@ecg/00492_lr.dat "$url/v1/ecg/predictions"
post -H content-type:application/json -d @symptoms/chills-and-fever.json "$url/v1/symptoms/predictions"
post -H content-type:application/json -d @heart-risk/man-58.json "$url/v1/heart-risk/predictions"
