"""Actors, and the contracts that everything else is written against."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.core._agent_id import AgentId, AgentType
    from symposia.core._agent_proxy import AgentProxy
    from symposia.core._agent_runtime import Agent, AgentMetadata, AgentRuntime
    from symposia.core._base_agent import BaseAgent
    from symposia.core._cache_store import CacheStore, InMemoryStore
    from symposia.core._cancellation_token import CancellationToken, cancel_and_wait, cancelled_by, uninterrupted
    from symposia.core._class_subscriptions import default_subscription, type_subscription
    from symposia.core._closure_agent import ClosureAgent, ClosureContext
    from symposia.core._component import (
        Component,
        ComponentBase,
        ComponentFromConfig,
        ComponentLoader,
        ComponentModel,
        ComponentSchemaType,
        ComponentToConfig,
        ComponentType,
        allow_components_from,
        code_is_trusted,
        is_component_class,
        is_component_instance,
        trust_component_code,
    )
    from symposia.core._contexts import (
        ClassMethodsOnly,
        MessageHandlerContext,
        SubscriptionInstantiationContext,
        iterate_with,
        variable_set,
    )
    from symposia.core._function_call import FunctionCall
    from symposia.core._handler_context import HandlerContext, current_handler_context, populate_handler_context
    from symposia.core._handlers import event, message_handler, rpc
    from symposia.core._image import Image
    from symposia.core._instantiation import AgentInstantiationContext
    from symposia.core._intervention import DefaultInterventionHandler, DropMessage, InterventionHandler
    from symposia.core._logging import EVENT_LOGGER_NAME, ROOT_LOGGER_NAME, TRACE_LOGGER_NAME
    from symposia.core._message_context import MessageContext
    from symposia.core._routed_agent import RoutedAgent
    from symposia.core._runtime._embedded import SingleThreadedAgentRuntime
    from symposia.core._serialization import (
        JSON_DATA_CONTENT_TYPE,
        PROTOBUF_DATA_CONTENT_TYPE,
        MessageSerializer,
        SerializationRegistry,
        UnknownPayload,
        try_get_known_serializers_for_type,
    )
    from symposia.core._subscription import DefaultSubscription, Subscription, TypePrefixSubscription, TypeSubscription
    from symposia.core._topic import DefaultTopicId, TopicId
    from symposia.core._worker_threads import call_function, run_in_worker_thread, worker_threads
    from symposia.core.runtimes import DeadLetter
    from symposia.core.telemetry import trace_create_agent_span, trace_invoke_agent_span, trace_tool_span
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_agent_id": ["AgentId", "AgentType"],
            "_agent_proxy": ["AgentProxy"],
            "_agent_runtime": ["Agent", "AgentMetadata", "AgentRuntime"],
            "_base_agent": ["BaseAgent"],
            "_cache_store": ["CacheStore", "InMemoryStore"],
            "_cancellation_token": ["CancellationToken", "cancel_and_wait", "cancelled_by", "uninterrupted"],
            "_class_subscriptions": ["default_subscription", "type_subscription"],
            "_closure_agent": ["ClosureAgent", "ClosureContext"],
            "_component": [
                "Component",
                "ComponentBase",
                "ComponentFromConfig",
                "ComponentLoader",
                "ComponentModel",
                "ComponentSchemaType",
                "ComponentToConfig",
                "ComponentType",
                "allow_components_from",
                "code_is_trusted",
                "is_component_class",
                "is_component_instance",
                "trust_component_code",
            ],
            "_contexts": [
                "ClassMethodsOnly",
                "MessageHandlerContext",
                "SubscriptionInstantiationContext",
                "iterate_with",
                "variable_set",
            ],
            "_function_call": ["FunctionCall"],
            "_handler_context": ["HandlerContext", "current_handler_context", "populate_handler_context"],
            "_handlers": ["event", "message_handler", "rpc"],
            "_image": ["Image"],
            "_instantiation": ["AgentInstantiationContext"],
            "_intervention": ["DefaultInterventionHandler", "DropMessage", "InterventionHandler"],
            "_logging": ["EVENT_LOGGER_NAME", "ROOT_LOGGER_NAME", "TRACE_LOGGER_NAME"],
            "_message_context": ["MessageContext"],
            "_routed_agent": ["RoutedAgent"],
            "_runtime._embedded": ["SingleThreadedAgentRuntime"],
            "_serialization": [
                "JSON_DATA_CONTENT_TYPE",
                "PROTOBUF_DATA_CONTENT_TYPE",
                "MessageSerializer",
                "SerializationRegistry",
                "UnknownPayload",
                "try_get_known_serializers_for_type",
            ],
            "_subscription": ["DefaultSubscription", "Subscription", "TypePrefixSubscription", "TypeSubscription"],
            "_topic": ["DefaultTopicId", "TopicId"],
            "_worker_threads": ["call_function", "run_in_worker_thread", "worker_threads"],
            "runtimes": ["DeadLetter"],
            "telemetry": ["trace_create_agent_span", "trace_invoke_agent_span", "trace_tool_span"],
        },
    )

__all__ = [
    "EVENT_LOGGER_NAME",
    "JSON_DATA_CONTENT_TYPE",
    "PROTOBUF_DATA_CONTENT_TYPE",
    "ROOT_LOGGER_NAME",
    "TRACE_LOGGER_NAME",
    "Agent",
    "AgentId",
    "AgentInstantiationContext",
    "AgentMetadata",
    "AgentProxy",
    "AgentRuntime",
    "AgentType",
    "BaseAgent",
    "CacheStore",
    "CancellationToken",
    "ClassMethodsOnly",
    "ClosureAgent",
    "ClosureContext",
    "Component",
    "ComponentBase",
    "ComponentFromConfig",
    "ComponentLoader",
    "ComponentModel",
    "ComponentSchemaType",
    "ComponentToConfig",
    "ComponentType",
    "DeadLetter",
    "DefaultInterventionHandler",
    "DefaultSubscription",
    "DefaultTopicId",
    "DropMessage",
    "FunctionCall",
    "HandlerContext",
    "Image",
    "InMemoryStore",
    "InterventionHandler",
    "MessageContext",
    "MessageHandlerContext",
    "MessageSerializer",
    "RoutedAgent",
    "SerializationRegistry",
    "SingleThreadedAgentRuntime",
    "Subscription",
    "SubscriptionInstantiationContext",
    "TopicId",
    "TypePrefixSubscription",
    "TypeSubscription",
    "UnknownPayload",
    "allow_components_from",
    "call_function",
    "cancel_and_wait",
    "cancelled_by",
    "code_is_trusted",
    "current_handler_context",
    "default_subscription",
    "event",
    "is_component_class",
    "is_component_instance",
    "iterate_with",
    "message_handler",
    "populate_handler_context",
    "rpc",
    "run_in_worker_thread",
    "trace_create_agent_span",
    "trace_invoke_agent_span",
    "trace_tool_span",
    "trust_component_code",
    "try_get_known_serializers_for_type",
    "type_subscription",
    "uninterrupted",
    "variable_set",
    "worker_threads",
]
