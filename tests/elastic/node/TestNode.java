package org.elasticsearch.node;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.lucene.analysis.cjk.CJKAnalyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.index.analysis.PreBuiltAnalyzerProviderFactory;
import org.elasticsearch.indices.analysis.PreBuiltCacheFactory.CachingStrategy;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.MockPluginsService;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.plugins.PluginsLoader;
import org.elasticsearch.plugins.PluginsService;
import org.elasticsearch.transport.netty4.Netty4Plugin;

/**
 * A real Elasticsearch node in one JVM, made of the vendor's own jars.
 *
 * <p>Argument: HOME. It binds a free port of 127.0.0.1, prints it when HTTP is up, and stops when
 * its stdin closes, so that it cannot outlive the tests. It is in the vendor's package because the
 * constructor that takes plugins from the class path is package-private.
 */
public class TestNode extends Node {

    /** The two analysers we use: their module (analysis-common) is not on Maven Central. */
    public static class Analysers extends Plugin implements AnalysisPlugin {
        @Override
        public List<PreBuiltAnalyzerProviderFactory> getPreBuiltAnalyzerProviderFactories() {
            return List.of(
                    new PreBuiltAnalyzerProviderFactory(
                            "english", CachingStrategy.ONE, EnglishAnalyzer::new),
                    new PreBuiltAnalyzerProviderFactory(
                            "cjk", CachingStrategy.ONE, CJKAnalyzer::new));
        }
    }

    private static class ClassPathPlugins extends NodeServiceProvider {
        @Override
        PluginsService newPluginService(Environment environment, PluginsLoader loader) {
            return new MockPluginsService(
                    environment.settings(),
                    environment,
                    List.of(Netty4Plugin.class, Analysers.class));
        }
    }

    private TestNode(Environment environment) {
        super(
                NodeConstruction.prepareConstruction(
                        environment, null, new ClassPathPlugins(), true));
    }

    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(arguments[0]);
        LogConfigurator.configureESLogging();
        Settings settings =
                Settings.builder()
                        .put("path.home", home.toString())
                        .put("cluster.name", "hoptree-tests")
                        .put("discovery.type", "single-node")
                        .put("network.host", "127.0.0.1")
                        .put("http.port", "0")
                        .put("transport.port", "0")
                        .put("http.type", "netty4")
                        .put("transport.type", "netty4")
                        .put("node.processors", 2)
                        .put("cluster.routing.allocation.disk.threshold_enabled", false)
                        .build();
        Environment environment =
                InternalSettingsPreparer.prepareEnvironment(
                        settings, Map.of(), home.resolve("config"), () -> "test-node");
        try (TestNode node = new TestNode(environment)) {
            node.start();
            HttpServerTransport http = node.injector().getInstance(HttpServerTransport.class);
            int port = http.boundAddress().publishAddress().getPort();
            System.out.println(port);
            while (System.in.read() >= 0) {}
        }
        System.exit(0);
    }
}
