"""The GraphQL queries of the pages of MLflow 3.17, in our own copy; no other query is passed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.errors import InvalidInput
from core.domain.tracking_fields import FORMS


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """A query: its text, its one variable, and whether that names `runs` or `experiments`."""

    text: str
    variable: str
    key: str
    form: str
    reads: str

    def read(self, variables: Any) -> str:
        """The id in the variables of a request. Raises InvalidInput."""
        inner = variables.get(self.variable) if isinstance(variables, dict) and len(variables) == 1 else None
        value = inner.get(self.key) if isinstance(inner, dict) and len(inner) == 1 else None
        if not isinstance(value, str):
            raise InvalidInput.of("variables", f"must be {self.variable} with {self.key}")
        return FORMS[self.form](self.key, value)

    def variables(self, value: str) -> Mapping[str, Any]:
        """The variables to send for this id."""
        return {self.variable: {self.key: value}}


def squeezed(text: Any) -> str:
    """A query's text with each run of blanks as one, the only allowed difference; "" if it is not text."""
    return " ".join(text.split()) if isinstance(text, str) else ""


GET_EXPERIMENT = """
query MlflowGetExperimentQuery($input: MlflowGetExperimentInput!) @component(name: "MLflow.ExperimentRunTracking") {
  mlflowGetExperiment(input: $input) {
    apiError {
      code
      message
      __typename
    }
    experiment {
      artifactLocation
      creationTime
      effectiveTraceArchivalRetention
      experimentId
      lastUpdateTime
      lifecycleStage
      name
      tags {
        key
        value
        __typename
      }
      __typename
    }
    __typename
  }
}
"""

GET_RUN = """
query GetRun($data: MlflowGetRunInput!) @component(name: "MLflow.ExperimentRunTracking") {
  mlflowGetRun(input: $data) {
    apiError {
      helpUrl
      code
      message
      __typename
    }
    run {
      info {
        runName
        status
        runUuid
        experimentId
        artifactUri
        endTime
        lifecycleStage
        startTime
        userId
        __typename
      }
      experiment {
        experimentId
        name
        tags {
          key
          value
          __typename
        }
        artifactLocation
        lifecycleStage
        lastUpdateTime
        __typename
      }
      modelVersions {
        status
        version
        name
        source
        __typename
      }
      data {
        metrics {
          key
          value
          step
          timestamp
          __typename
        }
        params {
          key
          value
          __typename
        }
        tags {
          key
          value
          __typename
        }
        __typename
      }
      inputs {
        datasetInputs {
          dataset {
            digest
            name
            profile
            schema
            source
            sourceType
            __typename
          }
          tags {
            key
            value
            __typename
          }
          __typename
        }
        modelInputs {
          modelId
          __typename
        }
        __typename
      }
      outputs {
        modelOutputs {
          modelId
          step
          __typename
        }
        __typename
      }
      __typename
    }
    __typename
  }
}
"""

QUERIES: Mapping[str, Query] = {
    "MlflowGetExperimentQuery": Query(
        text=GET_EXPERIMENT, variable="input", key="experimentId", form="experiment_id", reads="experiments"
    ),
    "GetRun": Query(text=GET_RUN, variable="data", key="runId", form="run_id", reads="runs"),
}
